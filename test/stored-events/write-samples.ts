// Writes a sample of each event that has none yet: npm run samples. Samples that are there are never changed.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedSamples } from './samples.ts';

for (const [name, sample] of generatedSamples()) {
  const file = join(import.meta.dirname, name);
  if (existsSync(file)) continue;
  writeFileSync(file, `${JSON.stringify(sample, null, 2)}\n`);
  console.log(`test/stored-events/${name}`);
}

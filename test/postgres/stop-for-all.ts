import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { PREPARED } from './prepared.ts';

export default function stopForAll(): void {
  rmSync(dirname(process.env[PREPARED] as string), { recursive: true });
  (globalThis as { stopCluster?: () => void }).stopCluster?.();
}

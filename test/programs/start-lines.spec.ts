import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.ts';

test('what a store says at its start has nothing of its directory that a terminal acts on', async () => {
  const data = join(await mkdtemp(join(tmpdir(), 'leadger-lines-')), 'data\u001b[2J\u202e');
  const program = new Program('standalone', ['--data', data, '--port', '0']);
  try {
    await program.says(/Ctrl-C stops it/);
    const { stdout } = await program.stop();
    expect(stdout).toContain('SMTP_URL names no mail server');
    expect(stdout).toContain(String.raw`data\u001b[2J\u202e`);
    for (const acts of ['\u001b', '\u202e']) expect(stdout).not.toContain(acts);
  } finally {
    await program.kill();
    await rm(join(data, '..'), { recursive: true });
  }
});

import { type FileHandle, open } from 'node:fs/promises';

/** Opens an empty file to write what only its owner may read: a new one, or an older one, which others may be able to open. */
export async function openPrivateFile(file: string): Promise<FileHandle> {
  const handle = await open(file, 'w', 0o600);
  // A terminal, a pipe or /dev/null is not ours to change, and some disks have no modes (a USB stick).
  if ((await handle.stat()).isFile()) await handle.chmod(0o600).catch(() => {});
  return handle;
}

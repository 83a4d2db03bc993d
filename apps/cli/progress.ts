/** How far something has come, on standard error: a line that is written over at a terminal, else one now and then. */
export class Progress {
  readonly #tell: (done: number) => string;
  readonly #everyMilliseconds: number;
  #toldAt = 0;

  constructor(tell: (done: number) => string) {
    this.#tell = tell;
    this.#everyMilliseconds = process.stderr.isTTY ? 100 : 10_000;
    this.#toldAt = performance.now();
  }

  update(done: number): void {
    if (performance.now() - this.#toldAt < this.#everyMilliseconds) return;
    this.#toldAt = performance.now();
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${this.#tell(done)}` : `${this.#tell(done)}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

/** `[=====     ] 50 %`, or nothing where the whole is not known. */
export function bar(done: number, whole: number | undefined): string {
  if (!whole) return '';
  const share = Math.min(1, done / whole);
  const filled = Math.round(share * 30);
  return `[${'='.repeat(filled)}${' '.repeat(30 - filled)}] ${Math.floor(share * 100)} % `;
}

export const thousands = (count: number): string => Math.round(count).toLocaleString('en-US');

/** What may wait in memory for a reader that stands still. */
const MOST_BYTES_WAITING = 1_000_000;

/**
 * Where a program writes its log and its notices. A line that cannot be written (the disk is full, the reader is gone or stands
 * still) is lost and counted, and the program goes on. Once lines are written again, one of them says how many are missing.
 */
class StandardError {
  #lost = 0;
  #missing = 0;

  /** How many lines, since the program began. */
  get lost(): number {
    return this.#lost;
  }

  /** @param line with its end */
  write(line: string): void {
    // A full disk may have taken half of the line before.
    const text = this.#missing > 0 ? `\n${line}` : line;
    if (!hasRoom()) this.#lose();
    else process.stderr.write(text, (error) => (error ? this.#lose() : this.#tellMissing()));
  }

  #lose(): void {
    this.#lost += 1;
    this.#missing += 1;
  }

  #tellMissing(): void {
    if (this.#missing === 0 || !hasRoom()) return;
    const count = this.#missing;
    this.#missing = 0;
    console.warn(`leadger: lines that could not be written here, and are lost: ${count}`);
  }
}

const hasRoom = (): boolean => process.stderr.writableLength <= MOST_BYTES_WAITING;

export const standardError = new StandardError();

/** An error of a standard stream is told to each write: as an event, too, it would end the program. */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

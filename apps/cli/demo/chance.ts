import { createHash } from 'node:crypto';

/** Random numbers from a seed (sfc32): the same seed and labels give the same numbers, on every machine and in every version. */
export class Chance {
  readonly #labels: readonly string[];
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(...labels: readonly string[]) {
    this.#labels = labels;
    const hash = createHash('sha256').update(JSON.stringify(labels)).digest();
    [this.#a, this.#b, this.#c] = [hash.readInt32LE(0), hash.readInt32LE(4), hash.readInt32LE(8)];
  }

  /** A separate sequence for one subject. Numbers drawn elsewhere do not change it. */
  of(...labels: readonly string[]): Chance {
    return new Chance(...this.#labels, ...labels);
  }

  /** At least 0, less than 1, in steps of 2⁻³². */
  next(): number {
    const drawn = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + drawn;
    return (drawn >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number from low to high, both included. */
  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Choice>(choices: readonly Choice[]): Choice {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  /** An index, each as likely as its weight says. */
  weighted(weights: readonly number[]): number {
    let left = this.next() * weights.reduce((sum, weight) => sum + weight, 0);
    const index = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return index < 0 ? weights.length - 1 : index;
  }
}

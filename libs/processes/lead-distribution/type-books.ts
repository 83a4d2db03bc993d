import type { Businesses } from '#domain/distribution/businesses';
import { type Claim, ClaimBook } from '#domain/distribution/claims';
import { Stock } from '#domain/distribution/stock';

/** Supply and demand of one lead type. */
export interface TypeBook {
  /** The claims that can be met now, by rank. */
  readonly claims: ClaimBook;
  /** Those of them that could not be met before: they must be compared with the whole stock. */
  readonly newClaims: Set<Claim>;
  readonly stock: Stock;
}

/** One book for each lead type, in the order in which the types first occur in the log. */
export class TypeBooks {
  readonly #books = new Map<string, TypeBook>();
  readonly #businesses: Businesses;

  constructor(businesses: Businesses) {
    this.#businesses = businesses;
  }

  of(leadTypeId: string): TypeBook {
    let book = this.#books.get(leadTypeId);
    if (!book) {
      book = { claims: new ClaimBook(), newClaims: new Set(), stock: new Stock(leadTypeId, this.#businesses) };
      this.#books.set(leadTypeId, book);
    }
    return book;
  }

  /** Leads that were closed to a business may be open to it from now on. */
  reopen(): void {
    for (const { stock } of this.#books.values()) stock.reopen();
  }

  all(): Iterable<[leadTypeId: string, book: TypeBook]> {
    return this.#books;
  }
}

/** Wakes all who wait, once for any number of appends. */
export class News {
  #next = Promise.withResolvers<void>();

  tell(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  }

  /** Must be asked for before one looks, so that nothing that comes meanwhile is missed. */
  next(): { orAborted(signal: AbortSignal): Promise<void> } {
    const { promise } = this.#next;
    return {
      orAborted(signal) {
        return new Promise((resolve) => {
          const done = () => {
            signal.removeEventListener('abort', done);
            resolve();
          };
          signal.addEventListener('abort', done);
          if (signal.aborted) done();
          void promise.then(done);
        });
      },
    };
  }
}

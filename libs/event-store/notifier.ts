/** Wakes all waiting readers, once for any number of appends. */
export class Notifier {
  #next = Promise.withResolvers<void>();

  notify(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  }

  /** Call it before looking for events, so that no event that arrives in the meantime is missed. */
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

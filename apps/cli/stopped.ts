const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type LastWork = (signal: NodeJS.Signals) => unknown;

/** Does something before a signal ends the program, which it still does. @returns what takes it back */
export function whenStopped(work: LastWork): () => void {
  const stopped = async (signal: NodeJS.Signals) => {
    off();
    await work(signal);
    process.kill(process.pid, signal);
  };
  const off = () => {
    for (const signal of SIGNALS) process.off(signal, stopped);
  };
  for (const signal of SIGNALS) process.on(signal, stopped);
  return off;
}

/** The same, after everything else that waits for the signal: that may end the command in its own way. */
export function whenStoppedAtLast(work: LastWork): void {
  for (const signal of SIGNALS) {
    const stopped = async () => {
      if (process.listenerCount(signal) > 1) return;
      process.off(signal, stopped);
      await work(signal);
      process.kill(process.pid, signal);
    };
    process.on(signal, stopped);
  }
}

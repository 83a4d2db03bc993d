import '#apps/node-version';
import '#apps/owner-only';
import '#apps/warnings';

// Not a static import: that would be linked before the check runs, which fails on an older Node.js.
await import('./worker.ts');

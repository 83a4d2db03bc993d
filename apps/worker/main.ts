import '#apps/node-version';

// Not a static import: an older Node.js could not even link what it loads.
await import('./worker.ts');

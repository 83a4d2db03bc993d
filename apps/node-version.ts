/** `engines` in package.json and the README say the same. */
const OLDEST_MAJOR = 24;

/** @returns what to tell the user of a Node.js that is too old; undefined for one that will do */
export function complaintAboutNode(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return undefined;
  return `leadger: this is Node.js ${version}, but Leadger needs Node.js ${OLDEST_MAJOR} or newer. \`npm start\` and \`npm run leadger\` bring their own.`;
}

// Whoever imports this first stops here on an old Node.js, which would fail with a riddle at some library.
const complaint = complaintAboutNode(process.versions.node);
if (complaint !== undefined) {
  console.error(complaint);
  process.exit(1);
}

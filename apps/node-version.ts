/** `engines` in package.json and the README say the same. */
const OLDEST_MAJOR = 24;

/** @returns the error message for a Node.js that is too old, else undefined */
export function complaintAboutNode(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return undefined;
  return `leadger: this is Node.js ${version}, but Leadger needs Node.js ${OLDEST_MAJOR} or newer. \`npm start\` and \`npm run leadger\` use the one that \`npm ci\` installs.`;
}

// Imported first by each program. Without it an old Node.js fails later, with an error about some library.
const complaint = complaintAboutNode(process.versions.node);
if (complaint !== undefined) {
  console.error(complaint);
  process.exit(1);
}

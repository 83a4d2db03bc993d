/** What a person at the terminal can be told in one line, without a stack. */
export class CommandFailed extends Error {}

/** `pat@example.org`, also in brackets or at the end of a sentence: somebody may write to it. */
const MAIL_ADDRESS = /^[<(]?[^\s@/:<>()]+@[^\s@/:<>()]+[>),.;]*$/u;

/** `J.Smith`: initials of a name are no host. */
const INITIALS = /^(\p{Lu}\.)+\p{Lu}\p{Ll}*[.,;]?$/u;

/** Where mail programs see a host, and make a link of what is around it: a dot between a letter or digit and a word. */
const HOST = /[\p{L}\p{N}-][.\u3002\uFF0E]\p{L}{2}/u;
const DOT = /(?<=[\p{L}\p{N}-])[.\u3002\uFF0E](?=[\p{L}\p{N}])/gu;

/**
 * A text in which no mail program finds an address of the web: `https[:]//evil[.]example`. Strangers write names and comments,
 * and our mails would bring their links under our name. A person still reads what was written.
 */
export const unlinked = (text: string): string =>
  text.replace(/\S+/gu, (word) => {
    if (MAIL_ADDRESS.test(word) || INITIALS.test(word)) return word;
    const isLink = word.includes('//') || HOST.test(word);
    return isLink ? word.replace(/:(?=\/\/)/g, '[:]').replace(DOT, '[.]') : word;
  });

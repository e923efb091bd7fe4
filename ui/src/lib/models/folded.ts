/** A text without what people leave out when they search: case, marks on letters, and how Arabic is spelt or drawn out. */
export function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[\p{M}\u0640]/gu, '')
    .replace(/[\u0629\u0649]/g, (letter) => ALIKE[letter] ?? letter)
    .toLowerCase()
}

/** Letters that many keyboards and hands do not tell apart; hamzas are marks by now. As Lucene's ArabicNormalizer has them. */
const ALIKE: Record<string, string> = { '\u0629': '\u0647', '\u0649': '\u064A' }

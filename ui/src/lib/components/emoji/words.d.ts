/** Made by `scripts/emoji-words.mjs`. */
declare module 'virtual:emoji-words' {
  /** By emoji: its name, then what else it is found by. */
  export type Words = Readonly<Record<string, readonly [name: string, ...keywords: string[]]>>
  /** By language; the base language has its words with the emoji themselves. */
  export const words: Readonly<Partial<Record<string, () => Promise<{ default: Words }>>>>
}

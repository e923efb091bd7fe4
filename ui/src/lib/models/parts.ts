/** So much text fits into one message where nobody said otherwise: the relay's 64 KiB, without what stands beside a text. */
export const TEXT_BYTES_MAX = 60 * 1024

/** Texts shorter than this (UTF-16 units) are nowhere near any limit, and need not be encoded to know that. */
const SHORT = 1024

const encoder = new TextEncoder()

/** How long a text is on its way: bytes of UTF-8; for short ones about. */
export function bytesOf(text: string): number {
  return text.length < SHORT ? text.length : encoder.encode(text).length
}

/** A text in parts that fit, cut between paragraphs, lines, words or letters, in this order of liking. */
export function partsOf(text: string, bytesMax: number): string[] {
  const parts: string[] = []
  let rest = text.trim()
  while (encoder.encode(rest).length > bytesMax) {
    const most = fitting(rest, bytesMax)
    // A piece that would be very small is not worth a nicer border.
    const at = (['\n\n', '\n', ' '] as const)
      .map((border) => most.lastIndexOf(border))
      .find((at) => at > most.length / 2)
    const part = most.slice(0, at ?? most.length)
    parts.push(part.trimEnd())
    rest = rest.slice(part.length).trimStart()
  }
  return rest === '' ? parts : [...parts, rest]
}

/** The longest beginning that fits, without a torn letter. */
function fitting(text: string, bytesMax: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(bytesMax))
  const begun = text.slice(0, read)
  const last = [
    ...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(
      text.slice(Math.max(0, read - 64), read + 64),
    ),
  ]
    .map(({ index }) => index + Math.max(0, read - 64))
    .findLast((index) => index <= read)
  return last === undefined || last === 0 ? begun : text.slice(0, last)
}

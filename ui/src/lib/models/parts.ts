/**
 * So much text fits into one message whatever the relay (its own limit is 64 KiB unless its operator chose another), with room
 * for what stands beside the text: who is meant, what is answered.
 */
export const TEXT_BYTES_MAX = 60 * 1024

const encoder = new TextEncoder()

/** How long a text is on its way: bytes of UTF-8. */
export function bytesOf(text: string): number {
  // Most texts are short, and need not be encoded to know that.
  return text.length * 3 <= TEXT_BYTES_MAX ? text.length : encoder.encode(text).length
}

export function isTooLong(text: string): boolean {
  return text.length * 3 > TEXT_BYTES_MAX && bytesOf(text) > TEXT_BYTES_MAX
}

/** A text in parts that fit, cut between paragraphs, lines, words or letters, in this order of liking. */
export function partsOf(text: string, bytesMax = TEXT_BYTES_MAX): string[] {
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

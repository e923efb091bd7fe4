export interface Notice {
  id: number
  text: string
  bad: boolean
}

const SHOWN_MS = 6_000

/** Short words on what was just done or failed; and what a screen reader should say. */
export class Notices {
  shown: readonly Notice[] = $state.raw([])
  /** Spoken, not drawn. */
  spoken: string = $state('')
  private next = 1

  say(text: string): void {
    this.add(text, false)
  }

  complain(text: string): void {
    this.add(text, true)
  }

  /** Read out by a screen reader. Said anew even if the words are the same. */
  speak(text: string): void {
    this.spoken = this.spoken === text ? `${text}\u00a0` : text
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((notice) => notice.id !== id)
  }

  private add(text: string, bad: boolean): void {
    const id = this.next++
    this.shown = [...this.shown.slice(-2), { id, text, bad }]
    this.speak(text)
    setTimeout(() => this.dismiss(id), SHOWN_MS)
  }
}

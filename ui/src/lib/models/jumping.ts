import { fit } from './fuzzy'

export type JumpKind = 'chat' | 'person' | 'command'

/** Somewhere to jump to, or something to do. */
export interface Target {
  id: string
  kind: JumpKind
  title: string
  /** Found by, but not shown as the title: a handle, another word for it. */
  also: string
  /** The larger, the further up among equals: when something happened there last. */
  recent: number
  /** Waits for the person: comes first while nothing is typed. */
  waits: boolean
}

export interface Ranked<Of extends Target> {
  target: Of
  /** Which letters of the title fit. */
  at: readonly number[]
}

const SHOWN_MAX: Record<JumpKind, number> = { chat: 8, person: 6, command: 8 }
const PREFIXES: Record<string, JumpKind> = { '#': 'chat', '@': 'person', '>': 'command' }
/** What a kind is worth when letters fit equally well. */
const WORTH: Record<JumpKind, number> = { chat: 6, person: 2, command: 0 }

/** What fits only a handle or a topic counts half. */
const ALSO = 0.5

/** What was typed, without the sign that asks for one kind alone. */
export function parseJump(typed: string): { kind: JumpKind | null; text: string } {
  const kind = PREFIXES[typed.trimStart().charAt(0)] ?? null
  return { kind, text: kind === null ? typed : typed.trimStart().slice(1) }
}

/** What fits, the best first; grouped by kind, the kind with the best one first. */
export function rank<Of extends Target>(typed: string, targets: readonly Of[]): Ranked<Of>[][] {
  const { kind, text } = parseJump(typed)
  const groups = new Map<JumpKind, { ranked: Ranked<Of>; score: number }[]>()
  for (const target of targets) {
    if (kind !== null && target.kind !== kind) continue
    const title = fit(text, target.title)
    const also = target.also === '' ? null : fit(text, target.also)
    if (!title && !also) continue
    const better = title && (!also || title.score >= also.score * ALSO) ? title : null
    const score = Math.max(title?.score ?? 0, (also?.score ?? 0) * ALSO)
    const group = groups.get(target.kind) ?? []
    group.push({ ranked: { target, at: better?.at ?? [] }, score })
    groups.set(target.kind, group)
  }
  const empty = text.trim() === ''
  return [...groups.entries()]
    .map(([kind, group]) => {
      group.sort((a, b) => compare(a.ranked.target, b.ranked.target, empty ? 0 : b.score - a.score))
      const best = empty ? WORTH[kind] : (group[0]?.score ?? 0) + WORTH[kind]
      return { best, shown: group.slice(0, SHOWN_MAX[kind]).map(({ ranked }) => ranked) }
    })
    .sort((a, b) => b.best - a.best)
    .map(({ shown }) => shown)
}

function compare(a: Target, b: Target, byScore: number): number {
  return byScore || Number(b.waits) - Number(a.waits) || b.recent - a.recent || a.title.localeCompare(b.title)
}

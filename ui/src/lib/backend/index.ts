import type { Backend } from './backend'
import { shellBackend } from './tauri'

export * from './backend'
export type * from './bindings'
export * from './defaults'

/** The engine behind this window; a pretended one where there is no shell and the build allows it. */
export async function connectBackend(): Promise<Backend> {
  if ((import.meta.env.DEV || import.meta.env.MODE === 'e2e') && !('__TAURI_INTERNALS__' in window))
    return pretend()
  return shellBackend()
}

async function pretend(): Promise<Backend> {
  const { FakeBackend } = await import('./fake/fake')
  const query = new URLSearchParams(location.search)
  const fake = new FakeBackend({
    empty: query.has('empty'),
    replies: !query.has('quiet'),
    answerAfterMs: Number(query.get('delay') ?? 250),
    language: query.get('language'),
  })
  Object.assign(window, { fake })
  return fake
}

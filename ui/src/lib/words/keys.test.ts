import { locale } from '$lib/i18n'
import { afterEach, describe, expect, it } from 'vitest'
import { keyNames, keyWords } from './keys'

afterEach(() => locale.use('en'))

describe('the names of keys', () => {
  it('are those of the system', () => {
    expect(keyWords('linux', 'Ctrl+Shift+F')).toBe('Ctrl+Shift+F')
    expect(keyWords('macos', 'Ctrl+Shift+F')).toBe('⌘⇧F')
    expect(keyWords('macos', 'Ctrl+,')).toBe('⌘,')
    expect(keyNames('macos', 'Alt+↑')).toEqual(['⌥', '↑'])
  })

  it('are those of the language', async () => {
    await locale.use('de')
    expect(keyWords('windows', 'Ctrl+Enter')).toBe('Strg+Eingabe')
  })
})

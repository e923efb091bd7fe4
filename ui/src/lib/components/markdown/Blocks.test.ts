import { ME } from '$lib/backend/fake/people'
import { parseMarkdown } from '$lib/backend/fake/markdown'
import { PEOPLE } from '$lib/backend/fake/people'
import { render, screen } from '@testing-library/svelte'
import { describe, expect, it, vi } from 'vitest'
import Blocks from './Blocks.svelte'

function draw(text: string) {
  const openLink = vi.fn()
  const copy = vi.fn()
  const { container } = render(Blocks, {
    blocks: parseMarkdown(text, PEOPLE),
    me: ME,
    openLink,
    copy,
  })
  return { container, openLink, copy }
}

describe('text of a message', () => {
  it('is drawn as elements', () => {
    const { container } = draw('**a** *b* ~~c~~ `d`\n\n> e\n\n1. f\n2. g')
    for (const [selector, text] of [
      ['strong', 'a'],
      ['em', 'b'],
      ['s', 'c'],
      ['code', 'd'],
      ['blockquote', 'e'],
      ['ol', 'f g'],
    ] as const)
      expect(container.querySelector(selector)?.textContent.replace(/\s+/g, ' ').trim()).toBe(text)
  })

  it('shows markup as text', () => {
    const { container } = draw('<img src=x onerror=alert(1)> <b>x</b>')
    expect(container.querySelector('img, b')).toBeNull()
    expect(container.textContent).toContain('<img src=x onerror=alert(1)>')
  })

  it('opens links outside', () => {
    const { openLink } = draw('see https://example.org/a')
    screen.getByRole('link').click()
    expect(openLink).toHaveBeenCalledWith('https://example.org/a')
  })

  it('copies code as it was written', () => {
    const { copy } = draw('```\nlet a = 1\n```')
    screen.getByRole('button').click()
    expect(copy).toHaveBeenCalledWith('let a = 1')
  })

  it('marks a mention of oneself', () => {
    const { container } = draw('@mira and @jonas')
    expect([...container.querySelectorAll('.mention')].map((one) => one.classList.contains('me'))).toEqual([
      true,
      false,
    ])
  })
})

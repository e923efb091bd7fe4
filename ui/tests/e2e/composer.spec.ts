import { expect, test } from './kith'

test('up edits the last message, escape gives the draft back', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.field.press('ArrowUp')
  await expect(kith.field).toHaveValue('Perfect, see you there')
  await kith.field.fill('Perfect, see you at eight')
  await kith.field.press('Enter')
  await expect(kith.line('see you at eight')).toContainText('edited')
  await kith.field.fill('half a thought')
  await kith.line('see you at eight').hover()
  await kith.line('see you at eight').getByRole('button', { name: 'Edit' }).click()
  await expect(page.getByText('Editing')).toBeVisible()
  await kith.field.press('Escape')
  await expect(kith.field).toHaveValue('half a thought')
})

test('drafts stay with their chat, and show in the list', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.field.fill('to be continued')
  await kith.chat('home/amina')
  await expect(kith.field).toHaveValue('')
  await expect(page.locator('[data-room="home/jonas"]')).toContainText('Draft: to be continued')
  await kith.chat('home/jonas')
  await expect(kith.field).toHaveValue('to be continued')
})

test('a draft from another device never overwrites what is being typed', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  const tellDraft = (draft: string) =>
    page.evaluate(async (draft) => {
      const fake = window.fake as unknown as {
        rooms(profile: string): Promise<{ id: string }[]>
        tell(updates: unknown[]): void
      }
      const room = (await fake.rooms('home')).find((room) => room.id === 'jonas')
      fake.tell([{ kind: 'room', room: { ...room, draft } }])
    }, draft)
  await tellDraft('from the phone')
  await expect(kith.field).toHaveValue('from the phone')
  await kith.field.fill('typed here')
  await tellDraft('from the phone, later')
  await expect(kith.field).toHaveValue('typed here')
})

test('mentions and emoji are completed', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await kith.field.pressSequentially('Hi @ami')
  await expect(page.getByRole('option', { name: /Amina Haddad/ })).toBeVisible()
  await kith.field.press('Enter')
  await expect(kith.field).toHaveValue('Hi @amina ')
  await kith.field.pressSequentially(':tada')
  await expect(page.getByRole('option', { name: /:tada:/ })).toBeVisible()
  await kith.field.press('Tab')
  await expect(kith.field).toHaveValue('Hi @amina 🎉 ')
  await kith.field.press('Enter')
  await expect(kith.line('Hi').locator('.mention')).toHaveText('@amina')
})

test('in Arabic, emoji have Arabic names, and are found by them', async ({ kith, page }) => {
  await kith.open('&language=ar')
  await kith.chat('home/jonas')
  await page.getByRole('button', { name: 'رموز تعبيرية', exact: true }).click()
  await expect(page.getByRole('button', { name: 'سيدة إطفاء', exact: true })).toBeAttached()
  await page.getByRole('textbox', { name: 'ابحث عن رمز' }).fill('صاروخ')
  await expect(page.getByRole('button', { name: 'صاروخ', exact: true })).toBeVisible()
  await kith.isAccessible('.picker')
  await page.keyboard.press('Enter')
  await expect(kith.field).toHaveValue('🚀')
  await kith.field.fill('')
  await kith.field.pressSequentially(':إحتفا')
  await expect(page.getByRole('option', { name: /وجه محتفل.*:hooray:/ })).toBeVisible()
  await kith.field.fill('')
  await kith.field.pressSequentially(':tada')
  await expect(page.getByRole('option', { name: /فرقعة حفلة.*:tada:/ })).toBeVisible()
  await kith.field.press('Tab')
  await expect(kith.field).toHaveValue('🎉 ')
})

test('it grows with the text, and not beyond its limit', async ({ kith }) => {
  await kith.open()
  await kith.chat('home/jonas')
  const height = async () => (await kith.field.boundingBox())?.height ?? 0
  const one = await height()
  await kith.field.fill('a\nb\nc')
  await expect.poll(height).toBeGreaterThan(one * 1.8)
  await kith.field.fill('a\n'.repeat(200))
  expect(await height()).toBeLessThan(400)
  await kith.field.fill('')
  await expect.poll(height).toBe(one)
})

test('marks by keys, new lines, and a long paste as code', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.field.fill('bold')
  await kith.field.selectText()
  await kith.field.press('Control+b')
  await expect(kith.field).toHaveValue('**bold**')
  await kith.field.press('Control+b')
  await expect(kith.field).toHaveValue('bold')
  await kith.field.fill('one')
  await kith.field.press('Shift+Enter')
  await expect(kith.field).toHaveValue('one\n')
  await kith.field.fill('')
  await kith.field.evaluate((field) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', 'line\n'.repeat(40))
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
  })
  await kith.field.fill('line\n'.repeat(40))
  await page.getByRole('button', { name: 'Show as a code block' }).click()
  await expect(kith.field).toHaveValue(/^```\nline\n/)
})

test('keys of an input method are its own', async ({ kith }) => {
  await kith.open()
  await kith.chat('home/lin')
  await kith.field.fill('你好')
  await kith.field.dispatchEvent('keydown', { key: 'Enter', isComposing: true, keyCode: 229 })
  await expect(kith.field).toHaveValue('你好')
  await kith.field.press('Enter')
  await expect(kith.line('你好')).toBeVisible()
})

test('right-to-left text is written from the right', async ({ kith }) => {
  await kith.open()
  await kith.chat('home/amina')
  await kith.field.fill('مرحبا')
  expect(await kith.field.evaluate((field) => getComputedStyle(field).direction)).toBe('rtl')
})

test('whoever types with nothing in focus means the message', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/jonas')
  await kith.field.blur()
  await page.keyboard.type('hello')
  await expect(kith.field).toHaveValue('hello')
})

test('a draft is not completed before something was typed', async ({ kith, page }) => {
  await kith.open()
  await kith.chat('home/launch')
  await kith.field.pressSequentially('hi @am')
  await expect(page.getByRole('option')).toBeVisible()
  await kith.chat('home/jonas')
  await kith.chat('home/launch')
  await expect(kith.field).toHaveValue('hi @am')
  await expect(kith.field).toBeFocused()
  await expect(page.getByRole('option')).toHaveCount(0)
})

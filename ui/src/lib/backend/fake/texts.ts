/** One line of a fixture: how long before now (minutes), who, what, and what happened to it. */
export interface Told {
  ago: number
  by: string
  text: string
  reactions?: Record<string, string[]>
  replyTo?: number
  edited?: true
  redacted?: true
  readBy?: string[]
  state?: 'waiting' | 'failed'
  control?: 'created' | { added: string }
}

const HOUR = 60
const DAY = 24 * HOUR

export const LAUNCH: Told[] = [
  { ago: 3 * DAY + 200, by: 'jonas', text: '', control: 'created' },
  { ago: 3 * DAY + 199, by: 'jonas', text: '', control: { added: 'mira' } },
  {
    ago: 3 * DAY + 180,
    by: 'jonas',
    text: 'Welcome, everyone. This is where the autumn release comes together.',
  },
  {
    ago: 3 * DAY + 176,
    by: 'jonas',
    text: 'Three things are still open:\n\n1. The **offline queue** survives a restart\n2. Draft sync between devices\n3. Words for every error, in all four languages',
    reactions: { '👍': ['mira', 'amina', 'teo'], '🎉': ['sofia'] },
  },
  {
    ago: 3 * DAY + 120,
    by: 'amina',
    text: 'I can take the error texts. Arabic and English first, the rest by Friday.',
  },
  {
    ago: 3 * DAY + 117,
    by: 'mira',
    text: 'Wonderful. I will look after the queue, I have a test that *almost* fails the right way.',
  },
  { ago: DAY + 400, by: 'teo', text: 'Has anyone measured how long a cold start takes with a full store?' },
  {
    ago: DAY + 396,
    by: 'mira',
    text: '0.9 s here, 100,000 messages. Most of it is fonts.',
    replyTo: 6,
    edited: true,
  },
  { ago: DAY + 380, by: 'teo', text: 'That is better than I feared 😄', reactions: { '😄': ['mira'] } },
  {
    ago: DAY + 60,
    by: 'sofia',
    text: 'For the record, this is what the relay says when its disk is full:\n\n```rust\n/// Acked means on disk: an ack leaves after the fsync of its batch.\npub fn append(&mut self, entry: &Entry) -> Result<Seq, AppendError> {\n    let seq = self.next_seq();\n    self.log.write(seq, entry)?; // group commit follows\n    Ok(seq)\n}\n```\n\nIt keeps serving reads, so nobody notices until they write.',
    reactions: { '❤️': ['jonas', 'amina', 'mira'], '🚀': ['dev'] },
  },
  { ago: DAY + 55, by: 'dev', text: '', redacted: true },
  {
    ago: 190,
    by: 'amina',
    text: 'Morning! First half of the texts is in review: https://review.fjord.example/r/418',
  },
  {
    ago: 189,
    by: 'amina',
    text: 'I tried to say what happened *and* what to do, never only one of the two.',
  },
  {
    ago: 171,
    by: 'jonas',
    text: '> what happened and what to do\n\nThat sentence should hang over every desk.',
    reactions: { '💯': ['amina', 'mira', 'teo', 'sofia'] },
  },
  {
    ago: 58,
    by: 'mira',
    text: 'Queue is done. Kill it anywhere you like, it picks up where it stopped.',
    readBy: ['sofia', 'dev'],
  },
  {
    ago: 57,
    by: 'mira',
    text: 'Details in the notes, but the short version: `enqueue` and the local echo are one commit now.',
    readBy: ['teo'],
  },
  { ago: 21, by: 'jonas', text: '@mira that is *excellent* news. Can you show it at three?', replyTo: 14 },
  { ago: 20, by: 'jonas', text: 'Ten minutes are plenty.' },
  {
    ago: 6,
    by: 'amina',
    text: 'I would love to see it too. And could someone check the plural forms for Arabic with me? There are six of them, and I only trust myself with five.',
  },
  {
    ago: 4,
    by: 'teo',
    text: 'I will bring coffee ☕',
    reactions: { '☕': ['jonas', 'amina'] },
    readBy: ['jonas', 'amina'],
  },
]

export const JONAS: Told[] = [
  { ago: 2 * DAY + 60, by: 'jonas', text: 'Did the package arrive?' },
  { ago: 2 * DAY + 40, by: 'mira', text: 'Yes! Lamp is up, the corner finally has light.' },
  { ago: 2 * DAY + 38, by: 'jonas', text: 'Pictures or it did not happen' },
  { ago: 95, by: 'mira', text: 'Are we still on for Thursday?' },
  {
    ago: 90,
    by: 'jonas',
    text: 'Yes, 19:30, the place by the harbour. I booked for four.',
    reactions: { '👍': ['mira'] },
  },
  { ago: 88, by: 'mira', text: 'Perfect, see you there', readBy: ['jonas'] },
]

export const AMINA: Told[] = [
  { ago: DAY + 30, by: 'amina', text: 'صباح الخير! هل يمكنك مراجعة النصوص العربية اليوم؟' },
  { ago: DAY + 20, by: 'mira', text: 'Of course. I read slowly, but I read 🙂' },
  {
    ago: 34,
    by: 'amina',
    text: 'شكراً جزيلاً، هذه هي القائمة:\n\n- رسائل الخطأ\n- الإشعارات\n- صفحة الإعدادات',
  },
  { ago: 33, by: 'amina', text: 'لا داعي للعجلة.' },
]

export const LIN: Told[] = [
  { ago: 5 * DAY, by: 'lin', text: '周末一起去爬山吗？天气预报说是晴天。' },
  { ago: 5 * DAY - 20, by: 'mira', text: '好啊！几点出发？' },
  { ago: 5 * DAY - 25, by: 'lin', text: '早上八点，老地方见。', reactions: { '👌': ['mira'] } },
  { ago: 4 * DAY, by: 'mira', text: '照片太美了，谢谢你带路！', readBy: ['lin'] },
]

export const KITCHEN: Told[] = [
  {
    ago: 6 * DAY,
    by: 'hanna',
    text: 'Whoever left the sourdough starter in the fridge: it is alive and it has opinions.',
  },
  {
    ago: 6 * DAY - 5,
    by: 'felix',
    text: 'Das ist Bruno. Bitte nicht wegwerfen.',
    reactions: { '😂': ['hanna', 'mira', 'priya'] },
  },
  { ago: 300, by: 'priya', text: 'Soup for everyone at one, bring bowls' },
  { ago: 296, by: 'felix', text: 'Ich bringe Brot mit!' },
]

export const NOTES: Told[] = [
  {
    ago: 8 * DAY,
    by: 'mira',
    text: 'Ideas for the talk:\n\n- why the log is the truth\n- one fold, two places\n- what a *dropped push* costs (nothing)',
  },
  { ago: 2 * DAY, by: 'mira', text: 'Passport expires in March!' },
]

export const HOSTILE: Told[] = [
  {
    ago: 3000,
    by: 'sofia',
    text: '<script>alert(1)</script> <img src=x onerror=alert(1)> & <b>not bold</b>',
  },
  { ago: 2990, by: 'sofia', text: '[click me](javascript:alert(1)) and [a file](file:///etc/passwd)' },
  { ago: 2980, by: 'sofia', text: 'right to left override: \u202Egnp.exe\u202C is no picture' },
  { ago: 2970, by: 'sofia', text: 'averyverylongwordwithoutanybreak'.repeat(12) },
  { ago: 2960, by: 'sofia', text: '🏳️‍🌈'.repeat(200) },
  { ago: 2950, by: 'sofia', text: `${'> '.repeat(30)}deep` },
]

/** Sentences that the large room is made of. */
export const SENTENCES = [
  'Pushed a fix for the flaky test, please have a look when you can.',
  'Agreed.',
  'I can reproduce it on the second machine: it only happens after a resume from sleep, and only when the network changed meanwhile.',
  'Thanks!',
  'What do we do about the old format? I would keep reading it for two more versions.',
  'Numbers from last night: median 0.7 ms, 99th percentile 4.1 ms. Nothing lost.',
  'Lunch?',
  'The log says `retry in 250 ms`, so the backoff works as it should.',
  'Could you write that down in the notes? It keeps coming up, and I never remember the second half of the argument.',
  'On it 👀',
  'Let us talk about it tomorrow, I want to sleep over it.',
  'That was quick!',
]

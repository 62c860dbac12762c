/** A piece of text whose first `length` characters may be set off. */
export interface Line {
  readonly text: string
  readonly styled?: { readonly length: number; readonly style: Style }
}

export type Style = 'good' | 'bad' | 'doubtful' | 'heading'

const codes: Readonly<Record<Style, string>> = { good: '1;32', bad: '1;31', doubtful: '1;33', heading: '1' }

/** Columns from the start of an entry's label to its text. */
const labelColumns = 14

/** Joins lines; `color` decides about ANSI codes. */
export function render(lines: readonly Line[], color: boolean): string {
  return lines
    .map(({ text, styled }) => {
      if (!color || styled === undefined) return text
      return `\u001b[${codes[styled.style]}m${text.slice(0, styled.length)}\u001b[0m${text.slice(styled.length)}`
    })
    .join('\n')
}

export function heading(text: string, width: number): Line[] {
  return wrap(text, width).map((line) => ({ text: line, styled: { length: line.length, style: 'heading' } }))
}

/** A label and its text, which goes on below itself. */
export function entry(label: string, text: string, width: number): Line[] {
  return hanging(`  ${label}`.padEnd(labelColumns), text, width)
}

/** `text` after `lead`, its further lines as far to the right. Long words that would be cut begin on a line of their own. */
export function hanging(lead: string, text: string, width: number): Line[] {
  const room = width - lead.length
  const longest = Math.max(...text.split(' ').map((word) => word.length))
  if (longest > room) return [lead.trimEnd(), ...wrap(text, width - 4).map((line) => `    ${line}`)].map(plain)
  const [line = '', ...rest] = wrap(text, room)
  return [`${lead}${line}`.trimEnd(), ...rest.map((more) => `${' '.repeat(lead.length)}${more}`)].map(plain)
}

/** Lines of at most `width` characters, broken at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width))
  }
  return [...lines, line]
}

/**
 * Text that came from the other side, safe to show: spaces for white space, escapes for what a terminal might act upon
 * or a reader not see.
 */
export function printable(text: string, maxLength = 400): string {
  const flat = text.replace(/\s+/gu, ' ').trim()
  const cut = flat.length > maxLength ? `${flat.slice(0, maxLength)}…` : flat
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

function plain(text: string): Line {
  return { text }
}

/**
 * Words that a peer chose, fit for one line of a message: what is not printable as escapes, cut after `limit` characters.
 */
export function excerpt(text: string, limit = 160): string {
  const escaped = text.slice(0, limit).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return Math.max(text.length, escaped.length) > limit ? `${escaped.slice(0, limit - 3)}...` : escaped
}

/**
 * Words that a peer chose, fit for one line of a message: cut after `limit` characters, with what is not printable as
 * escapes.
 */
export function excerpt(text: string, limit = 160): string {
  const cut = text.length > limit ? `${text.slice(0, limit - 3)}...` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

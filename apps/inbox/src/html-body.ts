/**
 * The policy under which a mail's HTML is shown: no script, nothing from anywhere, an origin of its own.
 * Links open in a new tab, out of the sandbox: one wants to follow the link of an activation mail.
 */
export const htmlBodyPolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; " +
  "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

/** A mail's HTML for the frame. A refresh in it would leave the policy behind by going elsewhere: it is disarmed. */
export function htmlBody(mailHtml: string): string {
  const disarmed = mailHtml.replaceAll(/http-equiv/gi, 'data-http-equiv')
  const head = '<base target="_blank">'
  const doctype = /^\s*<!doctype[^>]*>/i.exec(disarmed)?.[0] ?? ''
  return `${doctype}${head}${disarmed.slice(doctype.length)}`
}

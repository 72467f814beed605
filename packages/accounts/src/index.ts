export { type Account, applyToAccount, foldAccount, linkMailsKept } from './account.ts'
export { accountConstraints, type Usernames } from './account-constraints.ts'
export {
  attemptGapMs,
  attemptIsNews,
  type LinkMailLimits,
  linkMailLimits,
  linkMailWaitMs,
} from './account-decisions.ts'
export {
  emailField,
  fieldBounds,
  knownPasswordField,
  newPasswordField,
  usernameField,
} from './account-fields.ts'
export {
  activateRequest,
  changeEmailRequest,
  changePasswordRequest,
  resendRequest,
  signInRequest,
  signUpRequest,
} from './account-requests.ts'
export { type AccountEvent, type AccountEventType, accounts } from './accounts-topic.ts'
export {
  type ActivationLink,
  type ActivationLinks,
  type ActivationLinksOptions,
  createActivationLinks,
} from './activation-links.ts'
export {
  createSessionTokens,
  type Session,
  type SessionTokens,
  type SessionTokensOptions,
} from './session-tokens.ts'
export type { IssuedToken } from './signed-token.ts'

import { z } from 'zod'
import { emailField, knownPasswordField, newPasswordField, usernameField } from './account-fields.ts'

/** Body of `POST /users`. */
export const signUpRequest = z.strictObject({
  username: usernameField,
  email: emailField,
  password: newPasswordField,
})

/** Body of `POST /sessions`. */
export const signInRequest = z.strictObject({ email: emailField, password: knownPasswordField })

/** Body of `PATCH /users/{id}`. */
export const changeEmailRequest = z.strictObject({ email: emailField })

/** Body of `POST /users/{id}/password`. */
export const changePasswordRequest = z.strictObject({ current: knownPasswordField, next: newPasswordField })

/** Body of `POST /activations`. */
export const activateRequest = z.strictObject({
  token: z.string().min(1, 'is needed').max(2_048, 'is too long'),
})

/** Body of `POST /activations/resend`. */
export const resendRequest = z.strictObject({ email: emailField })

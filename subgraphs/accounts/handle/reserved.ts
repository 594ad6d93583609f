/** Handles that nobody may claim: they would be mistaken for the operator, for a part of the product, or for a path. */

const OPERATOR = words(`
  abuse admin administrator admins anonymous billing compliance contact copyright dmca everyone feedback finance guest
  helpdesk hostmaster info legal mailer-daemon marketing moderator moderators newsletter no-reply nobody noc noreply
  null official operator operators owner payments postmaster press privacy root sales security staff superuser support
  sysadmin system team teams trust undefined user users verified webmaster
`);

const PRODUCT = words(`
  agent agents api-keys archive asset assets atelier darkroom design generator generators goodeye graph graphql image
  image-draft image-generator image-generators image-premium image-standard image-ultra images img-forge imgforge
  invitation invitations job jobs local mcp model models plan plans preset presets provider providers run runs tag
  tags template template-safety-advisory template-safety-block templates tenant tenants tier tiers usage verifier
  verifiers workflow workflow-design-qa workflows
`);

const PATHS = words(`
  about account accounts all api app auth authorize blog callback catalog cdn cli community config console dashboard
  dev developer developers device discover docs download downloads email explore explorer faq favicon featured
  files fork ftp health healthz help home hooks host http https imap index internal invite localhost login logout mail
  member members metrics mine new news notifications oauth oauth2 organization organizations ping pop3 pricing profile
  profiles public readyz register rest robots search self settings setup shared shared-with-me sign-in sign-out
  sign-up signin signout signup sitemap smtp source static status stream stripe subscriptions terms token tokens
  trending upload uploads webhook webhooks welcome well-known wiki www
`);

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** The built-in list, with what the operator adds to it. */
export function reservedHandles(additional: readonly string[]): ReadonlySet<string> {
  return new Set([...OPERATOR, ...PRODUCT, ...PATHS, ...additional.map((handle) => handle.toLowerCase())]);
}

/**
 * The element finishes an OAuth sign-in from what it finds in its address, and would follow or adopt whatever a crafted
 * link to this page brings: an access token of the attacker's, for one. This API has no OAuth, so none of it may pass.
 */
export function dropOAuthParameters(): void {
  const url = new URL(window.location.href);
  const inHash = /(^|[#&?])(state|code|access_token)=/.test(url.hash);
  const inQuery = ['state', 'code', 'access_token'].some((name) => url.searchParams.has(name));
  if (!inHash && !inQuery) return;
  window.history.replaceState(null, '', url.pathname);
}

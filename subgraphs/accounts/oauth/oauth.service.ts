/** The calls of the contract, each by the service that it belongs to. */
import type { SignInService } from '../sign-in/sign-in.service.js';
import type { OAuthClientDoc } from './client.model.js';
import type { OAuthClientService } from './client.service.js';
import type { DeviceService } from './device.service.js';
import type { GrantService } from './grant.service.js';
import type { InputOf, OAuthCall, OAuthClientView, OutputOf } from './oauth.contract.js';

export interface OAuthServiceDeps {
  oauthClientService: OAuthClientService;
  grantService: GrantService;
  deviceService: DeviceService;
  signInService: SignInService;
}

export type OAuthService = { [C in OAuthCall]: (input: InputOf<C>) => Promise<OutputOf<C>> };

export function createOAuthService(deps: OAuthServiceDeps): OAuthService {
  const { oauthClientService: clients, grantService: grants, deviceService: devices, signInService } = deps;
  return {
    async register({ metadata, network }) {
      const { client, secret } = await clients.register(metadata, network);
      return { ...clientView(client), secret };
    },
    async client({ id }) {
      const client = await clients.find(id);
      return client && clientView(client);
    },
    requestCode: async ({ email, network }) => ({
      email: await signInService.requestCode('REGISTER', email, { network }),
    }),
    async signIn({ email, code }) {
      const { userId, email: address } = await signInService.prove(email, code);
      return { userId, email: address };
    },
    authorize: (input) => grants.authorize(input),
    startDevice: async ({ client, wish, network }) => devices.start(await clients.authenticate(client), wish, network),
    findDevice: ({ userCode, network }) => devices.find(userCode, network),
    decideDevice: async (input) => ({ decided: await devices.decide(input) }),
    redeemCode: async ({ client, ...input }) => grants.redeemCode(await clients.authenticate(client), input),
    refresh: async ({ client, ...input }) => grants.refresh(await clients.authenticate(client), input),
    redeemDevice: async ({ client, ...input }) => devices.redeem(await clients.authenticate(client), input),
    revoke: async ({ client, token }) => ({ userId: await grants.revoke(await clients.authenticate(client), token) }),
  };
}

function clientView({ _id, name, redirectUris, grantTypes, authMethod, createdAt }: OAuthClientDoc): OAuthClientView {
  return { id: _id, name, redirectUris, grantTypes, authMethod, createdAt };
}

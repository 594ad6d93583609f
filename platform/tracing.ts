/** Traces, when an OTLP endpoint is set. Parts open spans through the OpenTelemetry API, which does nothing otherwise. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import type { GatewayTransport } from './graph/transport.js';

const SERVER_ERRORS = 500;

export interface Tracing {
  close(): Promise<void>;
}

export async function startTracing(endpoint: string, role: string, version: string): Promise<Tracing> {
  // Loaded only when it is wanted: it costs a tenth of the start.
  const { NodeTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': `darkroom-${role}`, 'service.version': version }),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` })),
    ],
  });
  provider.register();
  return { close: () => provider.shutdown() };
}

/** One span a request. */
export function traceRequests(app: FastifyInstance): void {
  const tracer = trace.getTracer('darkroom');
  app.addHook('onRequest', (request, reply, next) => {
    tracer.startActiveSpan(
      `${request.method} ${request.routeOptions.url ?? 'none'}`,
      { kind: SpanKind.SERVER },
      (span) => {
        span.setAttributes({ 'http.request.method': request.method, 'darkroom.request_id': request.id });
        reply.raw.once('close', () => {
          span.setAttribute('http.response.status_code', reply.statusCode);
          if (reply.statusCode >= SERVER_ERRORS) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        });
        next();
      },
    );
  });
}

/** The same transport, with a span for each call. */
export function traced(transport: GatewayTransport): GatewayTransport {
  const tracer = trace.getTracer('darkroom');
  const { name } = transport;
  const spanned = <T extends object>(span: string, call: () => Promise<T>): Promise<T> =>
    tracer.startActiveSpan(span, { kind: SpanKind.CLIENT, attributes: { service: name } }, async (open) => {
      try {
        const answer = await call();
        if ('errors' in answer && answer.errors) open.setStatus({ code: SpanStatusCode.ERROR });
        return answer;
      } catch (error) {
        open.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        open.end();
      }
    });
  return {
    name,
    send: (request, scope) => spanned('gateway.fetch', () => transport.send(request, scope)),
    pull: (request, scope) => spanned('gateway.pull', () => transport.pull(request, scope)),
    follow: (listener) => transport.follow(listener),
    ready: () => transport.ready(),
    close: () => transport.close(),
  };
}

// node teach.js [HOST:PORT]: teaches one drawing, asks for another, and shows why a call is refused.
// Nothing is generated: the .proto files are loaded as they are.

import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const definition = loader.loadSync(["haleganada/v1/ocr_service.proto", "error_details.proto"], {
  includeDirs: [folder("../../../proto"), folder("..")],
  keepCase: true,
  longs: String, // 64-bit numbers may exceed what a number holds
  enums: String,
  defaults: true,
  oneofs: true,
});
const { OCRService } = grpc.loadPackageDefinition(definition).haleganada.v1;

/** Makes one call, with a deadline, because gRPC has none by default. */
function call(service, method, request) {
  const deadline = Date.now() + 10_000;
  return new Promise((resolve, reject) => {
    service[method](request, { deadline }, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** Returns why a call failed, as the stable name of an ErrorReason, or of a gRPC code if the server was not reached. */
function reasonOf(error) {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const { details } = definition["google.rpc.Status"].deserialize(bytes ?? Buffer.alloc(0));
  const info = details.find(({ type_url }) => type_url.endsWith("/google.rpc.ErrorInfo"));
  return info ? definition["google.rpc.ErrorInfo"].deserialize(info.value).reason : grpc.status[error.code];
}

/** Draws a cross on a canvas of 200 × 200, moved to the right. */
function drawCross(shift) {
  const strokes = [
    { x: [40 + shift, 160 + shift], y: [40, 160] },
    { x: [160 + shift, 40 + shift], y: [40, 160] },
  ];
  return { ink: { width: 200, height: 200, strokes } };
}

async function main(service) {
  // With its request_id, a call whose answer was lost can be repeated: the server teaches nothing twice.
  const request = { label: "×", glyph: drawCross(0), request_id: randomUUID() };
  const taught = await call(service, "Train", request);
  console.log(`taught: ${taught.label} (sample ${taught.sample_id})`);

  const prediction = await call(service, "Predict", { glyph: drawCross(8), top_k: 3 });
  for (const { label, probability } of prediction.candidates) {
    console.log(`found: ${label} ${(100 * probability).toFixed(1)} %`);
  }

  await call(service, "Train", { label: "", glyph: drawCross(0) }).catch((error) => {
    console.log(`refused: ${reasonOf(error)} (${error.details})`);
  });
}

const service = new OCRService(process.argv[2] ?? "127.0.0.1:50051", grpc.credentials.createInsecure());
try {
  await main(service);
} catch (error) {
  console.error(`${reasonOf(error)}: ${error.details}`);
  process.exitCode = 1;
} finally {
  service.close();
}

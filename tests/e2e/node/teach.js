// node teach.js HOST:PORT PROTO_FOLDER: teaches two characters and recognizes one, with only the .proto files.

const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [, , target, protos] = process.argv;
const definition = loader.loadSync(path.join(protos, "haleganada/v1/ocr_service.proto"), {
  includeDirs: [protos], keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true,
});
const { OCRService } = grpc.loadPackageDefinition(definition).haleganada.v1;
const service = new OCRService(target, grpc.credentials.createInsecure());

const call = (method, request) => new Promise((resolve, reject) => {
  const deadline = new Date(Date.now() + 10_000);
  service[method](request, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
});

const ink = (...strokes) => ({ ink: { width: 200, height: 200, strokes: strokes.map(([x, y]) => ({ x, y })) } });
const cross = (shift) => ink([[40, 160 + shift], [40, 160]], [[160, 40 + shift], [40, 160]]);
const square = ink([[40, 160, 160, 40, 40], [40, 40, 160, 160, 40]]);

(async () => {
  const taught = await call("Train", { glyph: cross(0), label: "ಅ", request_id: "node-1" });
  await call("Train", { glyph: square, label: "ಆ" });
  const again = await call("Train", { glyph: cross(0), label: "ಅ", request_id: "node-1" });
  const found = await call("Predict", { glyph: cross(4), top_k: 2 });
  const refused = await call("Predict", { glyph: { image: Buffer.from("no image") } }).catch((error) => error.code);
  console.log(JSON.stringify({ taught, again, found, refused }));
  service.close();
})().catch((error) => { console.error(error.message); process.exit(1); });

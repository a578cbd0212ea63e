// teach [HOST:PORT]: teaches one drawing, asks for another, and shows why a call is refused.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include <grpcpp/grpcpp.h>

#include "error_details.pb.h"
#include "haleganada/v1/ocr_service.grpc.pb.h"

namespace pb = haleganada::v1;

// A cross on a canvas of 200 x 200, moved to the right.
pb::Glyph DrawCross(float shift) {
  pb::Glyph glyph;
  pb::Ink* ink = glyph.mutable_ink();
  ink->set_width(200);
  ink->set_height(200);
  for (float start : {40.0f, 160.0f}) {
    pb::Stroke* stroke = ink->add_strokes();
    stroke->add_x(start + shift);
    stroke->add_y(40);
    stroke->add_x(200 - start + shift);
    stroke->add_y(160);
  }
  return glyph;
}

// Makes a call safe to repeat if its answer was lost: the server teaches nothing twice.
std::string NewRequestId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) id += std::to_string(random()) + "-";
  return id;
}

// Why a call failed, as the stable name of an ErrorReason, or as gRPC's code if the server was not reached.
std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status parsed;
  google::rpc::ErrorInfo info;
  parsed.ParseFromString(status.error_details());
  for (const auto& detail : parsed.details()) {
    if (detail.UnpackTo(&info)) return info.reason();
  }
  return "code " + std::to_string(status.error_code());
}

class Client {
 public:
  explicit Client(const std::string& target)
      : service_(pb::OCRService::NewStub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()))) {}

  grpc::Status Train(const std::string& label, const pb::Glyph& glyph, pb::TrainResponse* response) {
    pb::TrainRequest request;
    request.set_label(label);
    *request.mutable_glyph() = glyph;
    request.set_request_id(NewRequestId());
    grpc::ClientContext context;
    context.set_deadline(TenSecondsFromNow());
    return service_->Train(&context, request, response);
  }

  grpc::Status Predict(const pb::Glyph& glyph, pb::PredictResponse* response) {
    pb::PredictRequest request;
    *request.mutable_glyph() = glyph;
    request.set_top_k(3);
    grpc::ClientContext context;
    context.set_deadline(TenSecondsFromNow());
    return service_->Predict(&context, request, response);
  }

 private:
  // gRPC has no deadline by default.
  static std::chrono::system_clock::time_point TenSecondsFromNow() {
    return std::chrono::system_clock::now() + std::chrono::seconds(10);
  }

  std::unique_ptr<pb::OCRService::Stub> service_;
};

// Ends the program if a call failed.
void Check(const grpc::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", ReasonOf(status).c_str(), status.error_message().c_str());
  std::exit(EXIT_FAILURE);
}

int main(int argc, char** argv) {
  Client client(argc > 1 ? argv[1] : "127.0.0.1:50051");

  pb::TrainResponse taught;
  Check(client.Train("×", DrawCross(0), &taught));
  std::printf("taught: %s (sample %lld)\n", taught.label().c_str(), static_cast<long long>(taught.sample_id()));

  pb::PredictResponse prediction;
  Check(client.Predict(DrawCross(8), &prediction));
  for (const pb::Candidate& candidate : prediction.candidates()) {
    std::printf("found: %s %.1f %%\n", candidate.label().c_str(), 100 * candidate.probability());
  }

  grpc::Status refused = client.Train("", DrawCross(0), &taught);
  std::printf("refused: %s (%s)\n", ReasonOf(refused).c_str(), refused.error_message().c_str());
}

// Command teach teaches one drawing, asks for another, and shows why a call is refused: teach [HOST:PORT]
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	pb "haleganada/v1"
)

func main() {
	log.SetFlags(0)
	target := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	connection, err := grpc.Dial(target, grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()

	if err := run(pb.NewOCRServiceClient(connection)); err != nil {
		log.Fatalf("%s: %s", reason(err), status.Convert(err).Message())
	}
}

func run(service pb.OCRServiceClient) error {
	// A deadline for all calls, because gRPC has none by default.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	taught, err := service.Train(ctx, &pb.TrainRequest{Label: "×", Glyph: drawCross(0), RequestId: newRequestID()})
	if err != nil {
		return err
	}
	fmt.Printf("taught: %s (sample %d)\n", taught.Label, taught.SampleId)

	prediction, err := service.Predict(ctx, &pb.PredictRequest{Glyph: drawCross(8), TopK: 3})
	if err != nil {
		return err
	}
	for _, candidate := range prediction.Candidates {
		fmt.Printf("found: %s %.1f %%\n", candidate.Label, 100*candidate.Probability)
	}

	if _, err := service.Train(ctx, &pb.TrainRequest{Label: "", Glyph: drawCross(0)}); err != nil {
		fmt.Printf("refused: %s (%s)\n", reason(err), status.Convert(err).Message())
	}
	return nil
}

// drawCross draws a cross on a canvas of 200 × 200, moved to the right.
func drawCross(shift float32) *pb.Glyph {
	return &pb.Glyph{Source: &pb.Glyph_Ink{Ink: &pb.Ink{Width: 200, Height: 200, Strokes: []*pb.Stroke{
		{X: []float32{40 + shift, 160 + shift}, Y: []float32{40, 160}},
		{X: []float32{160 + shift, 40 + shift}, Y: []float32{40, 160}},
	}}}}
}

// newRequestID makes a call safe to repeat if its answer was lost: the server teaches nothing twice.
func newRequestID() string {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		log.Fatal(err)
	}
	return hex.EncodeToString(id)
}

// reason tells why a call failed, as the stable name of an ErrorReason, or of a gRPC code if the server was not reached.
func reason(err error) string {
	failed := status.Convert(err)
	for _, detail := range failed.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.Reason
		}
	}
	return failed.Code().String()
}

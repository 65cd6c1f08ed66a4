// Locks a seat for alice, and shows what bob is told: go-client SERVER SHOWTIME SEAT
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"example.com/seats/seatlockv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

func lock(client seatlockv1.SeatLockServiceClient, session string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	requestID := fmt.Sprintf("%s-%d", session, time.Now().UnixNano())
	answer, err := client.LockSeat(ctx, &seatlockv1.LockSeatRequest{
		ShowtimeId: os.Args[2],
		SeatId:     os.Args[3],
		SessionId:  session,
		RequestId:  &requestID, // the same one if you ask again
	})
	if err == nil {
		fmt.Printf("locked for %s, fence %d\n", session, answer.GetLock().GetFence())
	}
	return err
}

func explain(err error) {
	refusal := status.Convert(err)
	fmt.Printf("refused: %s\n", refusal.Code())
	for _, detail := range refusal.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			fmt.Println(detail.GetReason())
		case *seatlockv1.SeatConflicts:
			for _, conflict := range detail.GetConflicts() {
				fmt.Println(conflict.GetSeatId(), conflict.GetStatus())
			}
		}
	}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: go-client SERVER SHOWTIME SEAT")
	}
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := seatlockv1.NewSeatLockServiceClient(connection)
	for _, session := range []string{"alice", "bob"} {
		if err := lock(client, session); err != nil {
			explain(err)
		}
	}
}

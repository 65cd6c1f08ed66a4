import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import seatlock.v1.SeatLockServiceGrpc;
import seatlock.v1.SeatlockService.LockSeatRequest;
import seatlock.v1.Seats.SeatConflict;
import seatlock.v1.Seats.SeatConflicts;

/** Locks a seat for alice, and shows what bob is told: LockSeats SERVER SHOWTIME SEAT */
public final class LockSeats {
  public static void main(String[] args) throws InvalidProtocolBufferException {
    if (args.length != 3) {
      System.err.println("usage: LockSeats SERVER SHOWTIME SEAT");
      System.exit(2);
    }
    ManagedChannel channel = ManagedChannelBuilder.forTarget(args[0]).usePlaintext().build();
    try {
      for (String session : new String[] {"alice", "bob"}) {
        lock(channel, args[1], args[2], session);
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private static void lock(ManagedChannel channel, String showtime, String seat, String session)
      throws InvalidProtocolBufferException {
    LockSeatRequest request =
        LockSeatRequest.newBuilder()
            .setShowtimeId(showtime)
            .setSeatId(seat)
            .setSessionId(session)
            .setRequestId(UUID.randomUUID().toString()) // the same one if you ask again
            .build();
    try {
      var answer =
          SeatLockServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(10, TimeUnit.SECONDS)
              .lockSeat(request);
      System.out.println("locked for " + session + ", fence " + answer.getLock().getFence());
    } catch (StatusRuntimeException error) {
      explain(error);
    }
  }

  private static void explain(StatusRuntimeException error) throws InvalidProtocolBufferException {
    System.out.println("refused: " + error.getStatus().getCode());
    var status = StatusProto.fromThrowable(error);
    if (status == null) return; // no connection
    for (Any detail : status.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        System.out.println(detail.unpack(ErrorInfo.class).getReason());
      } else if (detail.is(SeatConflicts.class)) {
        for (SeatConflict conflict : detail.unpack(SeatConflicts.class).getConflictsList()) {
          System.out.println(conflict.getSeatId() + " " + conflict.getStatus());
        }
      }
    }
  }
}

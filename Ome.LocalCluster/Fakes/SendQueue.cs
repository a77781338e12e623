using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;

namespace Ome.LocalCluster.Fakes;

/// <summary>What a connection was given and its peer has not acknowledged.</summary>
internal static class SendQueue
{
    private const int Tcp = 6;
    private const int TcpInfo = 11;
    private const int BytesAcked = 120;
    private const int BytesNotSent = 144;
    private const int BytesSent = 200;

    /// <summary>What the server may still hold when a write has returned, counted as under way.</summary>
    private const long HeldByServer = 64 * 1024;

    /// <summary>Never too few; everything, when the connection cannot be asked any more.</summary>
    public static long BytesUnderWay(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket) return long.MaxValue;
        Span<byte> info = stackalloc byte[256];
        try
        {
            if (socket.GetRawSocketOption(Tcp, TcpInfo, info) < BytesSent + sizeof(long)) return long.MaxValue;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return long.MaxValue;
        }

        return BitConverter.ToInt64(info[BytesSent..]) - BitConverter.ToInt64(info[BytesAcked..]) + BitConverter.ToUInt32(info[BytesNotSent..]) + HeldByServer;
    }
}

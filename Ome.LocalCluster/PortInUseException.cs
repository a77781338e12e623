namespace Ome.LocalCluster;

/// <summary>A port the control plane was told to listen on is taken.</summary>
public sealed class PortInUseException(LocalClusterOptions options, Exception inner)
    : Exception($"Cannot listen on {Taken(options, inner.Message)}: the port is in use. Choose another with --port / --http-port, or 0 for a free one.", inner)
{
    // The server names the address it could not have; the other one may be free.
    private static string Taken(LocalClusterOptions options, string serverSays)
    {
        var wanted = new[] { options.Port, options.HttpPort ?? 0 }.Where(port => port != 0).Select(port => $"127.0.0.1:{port}").ToList();
        return wanted.Find(address => serverSays.Contains(address + ":", StringComparison.Ordinal)) ?? string.Join(" and ", wanted);
    }
}

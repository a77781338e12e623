namespace Ome.LocalCluster;

/// <summary>A port the control plane was told to listen on is taken.</summary>
public sealed class PortInUseException(LocalClusterOptions options, Exception inner)
    : Exception($"Cannot listen on {Ports(options)}: the port is in use. Choose another with --port / --http-port, or 0 for a free one.", inner)
{
    private static string Ports(LocalClusterOptions options) =>
        string.Join(" and ", new[] { options.Port, options.HttpPort ?? 0 }.Where(port => port != 0).Select(port => $"127.0.0.1:{port}"));
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Ome.LocalCluster;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Flow;

/// <summary>Agent and operator as processes where the API server is away, or Ome's kinds are not installed: they say so once per attempt, with the remedy, and go on.</summary>
public sealed partial class TroubleAtStartTests
{
    private TempDirectory _directory = null!;

    [SetUp]
    public void MakeDirectory() => _directory = new TempDirectory();

    [TearDown]
    public void RemoveDirectory() => _directory.Dispose();

    [TestCase("ome-agent", "clusterbasemodels.ome.io")]
    [TestCase("ome-operator", "nodes")]
    [CancelAfter(120_000)]
    public async Task An_unreachable_API_server_is_told_once_per_attempt_with_the_remedy(string program, string resource, CancellationToken cancellationToken)
    {
        var port = FreePort();
        // The authority of another server: nobody answers who could show a certificate.
        await using var other = await Ome.LocalCluster.LocalCluster.StartAsync(new LocalClusterOptions(), cancellationToken);
        var kubeconfig = _directory["kubeconfig"];
        await Kubeconfig.WriteAsync(kubeconfig, new Uri($"https://127.0.0.1:{port}"), other.AuthorityPem, "token", cancellationToken);

        var lines = await UntilSaidAsync(program, kubeconfig, $"Cannot watch {resource}:", times: 3, cancellationToken);

        lines.Should().OnlyContain(line => line.Contains($"the API server 127.0.0.1:{port} cannot be reached") && line.Contains("Check that it runs, the network policy, DNS, and KUBERNETES_SERVICE_HOST or the kubeconfig."));
        lines.Select(line => Failure().Match(line).Groups["n"].Value).Should().Equal("1", "2", "3");
    }

    [TestCase("ome-agent", "does not serve clusterbasemodels.ome.io v1beta1")]
    [TestCase("ome-operator", "ClusterBaseModel")]
    [CancelAfter(120_000)]
    public async Task A_missing_CRD_is_told_with_the_remedy(string program, string cause, CancellationToken cancellationToken)
    {
        await using var plane = await ControlPlanes.StartAsync(cancellationToken);

        var lines = await UntilSaidAsync(program, plane.KubeconfigPath, cause, times: 2, cancellationToken);

        // KubeOps' own watch says what the server said.
        lines.Should().OnlyContain(line => line.Contains("kubectl apply -k config/crd") || line.Contains("NotFound"));
    }

    /// <summary>Starts the program and reads its log until it said something so often; it must be alive then.</summary>
    private async Task<IReadOnlyList<string>> UntilSaidAsync(string program, string kubeconfig, string what, int times, CancellationToken cancellationToken)
    {
        string[] arguments = program == "ome-agent"
            ? ["--models-root-dir", _directory["models"], "--bind-address", "127.0.0.1", "--port", FreePort().ToString()]
            : ["--host", "127.0.0.1", "--port", FreePort().ToString(), "--leader-elect", "false"];
        Directory.CreateDirectory(_directory["models"]);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program + ".dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["KUBECONFIG"] = kubeconfig, ["NODE_NAME"] = "n1", ["POD_NAMESPACE"] = "ome" },
        };
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        try
        {
            var said = new List<string>();
            while (said.Count < times)
            {
                var line = await process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException($"{program} ended with {process.ExitCode} after: {string.Join('\n', said)}");
                if (line.Contains(what, StringComparison.Ordinal)) said.Add(line);
            }

            process.HasExited.Should().BeFalse();
            return said;
        }
        finally
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [GeneratedRegex(@"\(failure (?<n>\d+) in a row\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Failure();
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using k8s;
using Ome.Tests.Support;

namespace Ome.Tests.LocalCluster;

/// <summary><c>ome-local-cluster up</c> as a person starts it.</summary>
public sealed class UpCommandTests
{
    [Test, CancelAfter(180_000)]
    public async Task Up_prints_one_line_serves_and_stops_on_request(CancellationToken ct)
    {
        using var directory = new TempDirectory();
        var kubeconfig = directory["sub", "kubeconfig"];
        using var process = Start("up", "--kubeconfig", kubeconfig);
        try
        {
            (await process.StandardOutput.ReadLineAsync(ct)).Should().Be($"export KUBECONFIG={kubeconfig}");
            if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(kubeconfig).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            using var client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
            (await client.CoreV1.ListNamespaceAsync(cancellationToken: ct)).Items.Should().HaveCountGreaterThan(3);

            // Not SIGINT: a shell starts background jobs with it ignored, and their children inherit that.
            using var stop = Process.Start("kill", ["-TERM", process.Id.ToString()]);
            await process.WaitForExitAsync(ct);

            process.ExitCode.Should().Be(0);
            (await process.StandardOutput.ReadToEndAsync(ct)).Should().BeEmpty("the line is all there is to read");
            File.Exists(kubeconfig).Should().BeFalse();
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    [Test, CancelAfter(180_000)]
    public async Task A_port_in_use_is_named(CancellationToken ct)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (code, error) = await RunAsync(ct, "up", "--port", port.ToString());

        code.Should().Be(1);
        error.Should().Contain($"127.0.0.1:{port}").And.Contain("--port");
    }

    [Test, CancelAfter(180_000)]
    public async Task Of_two_ports_the_taken_one_is_named(CancellationToken ct)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var other = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();

        var (code, error) = await RunAsync(ct, "up", "--port", other.ToString(), "--http-port", port.ToString());

        code.Should().Be(1);
        error.Should().Contain($"Cannot listen on 127.0.0.1:{port}:").And.NotContain(other.ToString());
    }

    [TestCase("--port", "70000", "--port")]
    [TestCase("--history", "0", "--history")]
    [TestCase("--nonsense", "1", "--nonsense")]
    [CancelAfter(180_000)]
    public async Task A_bad_option_is_named_with_exit_code_2(string option, string value, string named, CancellationToken ct)
    {
        var (code, error) = await RunAsync(ct, "up", option, value);

        code.Should().Be(2);
        error.Should().Contain(named).And.Contain("--help");
    }

    private static async Task<(int Code, string Error)> RunAsync(CancellationToken ct, params string[] arguments)
    {
        using var process = Start(arguments);
        var error = await process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, error);
    }

    private static Process Start(params string[] arguments)
    {
        var assembly = typeof(Ome.LocalCluster.Program).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        return Process.Start(start)!;
    }
}

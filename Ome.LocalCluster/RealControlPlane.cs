using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster;

/// <summary>
/// A real etcd and kube-apiserver, from a directory of binaries (<c>KUBEBUILDER_ASSETS</c>), on free loopback ports with RBAC on and data in a
/// temporary directory; both end with this object. No kube-controller-manager runs: nobody empties namespaces or collects garbage.
/// </summary>
public sealed class RealControlPlane : IAsyncDisposable
{
    private readonly string _directory;
    private readonly IReadOnlyList<Process> _processes;

    private RealControlPlane(Uri url, string token, string authorityPem, JsonObject version, string directory, IReadOnlyList<Process> processes)
    {
        Url = url;
        AdminToken = token;
        AuthorityPem = authorityPem;
        Version = (string)version["gitVersion"]!;
        Minor = int.Parse(((string)version["minor"]!).TrimEnd('+'), CultureInfo.InvariantCulture);
        _directory = directory;
        _processes = processes;
    }

    /// <summary>The API over HTTPS.</summary>
    public Uri Url { get; }

    /// <summary>Bearer token of the administrator.</summary>
    public string AdminToken { get; }

    /// <summary>What a client has to trust for <see cref="Url"/>, as PEM.</summary>
    public string AuthorityPem { get; }

    /// <summary>As the server tells it, e.g. <c>v1.26.15</c>.</summary>
    public string Version { get; }

    /// <summary>Minor version of the API, e.g. 26.</summary>
    public int Minor { get; }

    /// <summary>Starts both programs and waits until the API is ready.</summary>
    /// <param name="assets">Directory that holds <c>etcd</c> and <c>kube-apiserver</c>.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="FileNotFoundException">One of them is not there.</exception>
    public static async Task<RealControlPlane> StartAsync(string assets, CancellationToken cancellationToken)
    {
        foreach (var program in new[] { "etcd", "kube-apiserver" })
        {
            if (!File.Exists(Path.Combine(assets, program))) throw new FileNotFoundException($"KUBEBUILDER_ASSETS is '{assets}': there is no {program} in it.");
        }
        var directory = Directory.CreateTempSubdirectory("ome-envtest-").FullName;
        var token = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var processes = new List<Process>();
        try
        {
            var (etcd, peer, api) = (FreePort(), FreePort(), FreePort());
            await PrepareAsync(directory, token, cancellationToken);
            processes.Add(Start(assets, "etcd", directory, EtcdArguments(directory, etcd, peer)));
            processes.Add(Start(assets, "kube-apiserver", directory, ApiServerArguments(directory, etcd, api)));
            var url = new Uri($"https://127.0.0.1:{api}");
            var version = await ReadyAsync(url, token, directory, processes, cancellationToken);
            // The server made its own certificate and signed it with a key of its own: the file holds the whole chain.
            var pem = LastCertificate(await File.ReadAllTextAsync(Path.Combine(directory, "certs", "apiserver.crt"), cancellationToken));
            return new RealControlPlane(url, token, pem, version, directory, processes);
        }
        catch
        {
            await StopAsync(processes, directory);
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(_processes, _directory);

    private static async Task PrepareAsync(string directory, string token, CancellationToken cancellationToken)
    {
        using var key = RSA.Create(2048);
        await File.WriteAllTextAsync(Path.Combine(directory, "sa.key"), key.ExportRSAPrivateKeyPem(), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(directory, "sa.pub"), key.ExportSubjectPublicKeyInfoPem(), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(directory, "tokens.csv"), $"{token},admin,1,\"system:masters\"\n", cancellationToken);
    }

    private static string[] EtcdArguments(string directory, int port, int peer) =>
    [
        "--name", "default", "--data-dir", Path.Combine(directory, "etcd"), "--unsafe-no-fsync", "--log-level", "warn",
        "--listen-client-urls", $"http://127.0.0.1:{port}", "--advertise-client-urls", $"http://127.0.0.1:{port}",
        "--listen-peer-urls", $"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{peer}",
        "--initial-cluster", $"default=http://127.0.0.1:{peer}",
    ];

    private static string[] ApiServerArguments(string directory, int etcd, int port) =>
    [
        $"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", $"--secure-port={port}",
        $"--cert-dir={Path.Combine(directory, "certs")}", "--authorization-mode=RBAC", $"--token-auth-file={Path.Combine(directory, "tokens.csv")}",
        "--service-account-issuer=https://kubernetes.default.svc", $"--service-account-key-file={Path.Combine(directory, "sa.pub")}",
        $"--service-account-signing-key-file={Path.Combine(directory, "sa.key")}", "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none",
    ];

    private static Process Start(string assets, string program, string directory, string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(assets, program), arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        var log = new StreamWriter(Path.Combine(directory, program + ".log")) { AutoFlush = true };
        void Keep(object sender, DataReceivedEventArgs line)
        {
            lock (log) log.WriteLine(line.Data);
        }
        process.ErrorDataReceived += Keep;
        process.OutputDataReceived += Keep;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>Waits until the server is ready and answers its version.</summary>
    private static async Task<JsonObject> ReadyAsync(Uri url, string token, string directory, List<Process> processes, CancellationToken cancellationToken)
    {
#pragma warning disable MA0039, CA5400 // the certificate does not exist yet when the first request is made; loopback, our own child process
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
#pragma warning restore MA0039, CA5400
        using var client = new HttpClient(handler) { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        while (true)
        {
            if (processes.Find(p => p.HasExited) is { } dead) throw new InvalidOperationException($"{dead.StartInfo.FileName} ended with {dead.ExitCode}; its log is in {directory}");
            try
            {
                using var ready = await client.GetAsync("/readyz", cancellationToken);
                if (ready.StatusCode == HttpStatusCode.OK) return JsonNode.Parse(await client.GetStringAsync("/version", cancellationToken))!.AsObject();
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }

    private static string LastCertificate(string pem) => pem[pem.LastIndexOf("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal)..];

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task StopAsync(IEnumerable<Process> processes, string directory)
    {
        // The API server first: without its etcd it would only complain.
        foreach (var process in processes.Reverse())
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(directory, recursive: true);
    }
}

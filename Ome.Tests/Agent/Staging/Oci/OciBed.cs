using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ome.Agent.Staging;
using Ome.Agent.Staging.Oci;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Models;
using Ome.Tests.Contracts;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>The OCI source, wired as the agent wires it, on a fake store that checks signatures.</summary>
internal sealed class OciBed : IAsyncDisposable
{
    public const string Bucket = "models";

    private const string Fingerprint = "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34";

    private readonly TempDirectory _directory = new();
    // One key for all beds: making one takes longer than most tests.
    private static readonly RSA UserKey = RSA.Create(2048);

    // The pass phrase of the key is the secret that must show up nowhere.
    private static readonly string EncryptedUserKey = UserKey.ExportEncryptedPkcs8PrivateKeyPem(
        ArtifactSourceBed.PlantedSecret, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

    private readonly ServiceProvider _services;

    private OciBed(FakeObjectStore store, ShiftedTime time)
    {
        (Store, Time) = (store, time);
        Options = NewOptions();
        _services = Build();
        store.Callers.Know(UserKeyId, UserKey);
    }

    public static string UserKeyId => $"ocid1.tenancy.fake/ocid1.user.fake/{Fingerprint}";

    public FakeObjectStore Store { get; }

    /// <summary>Clock of the source and of the store.</summary>
    public ShiftedTime Time { get; }

    public OciOptions Options { get; }

    public CapturedLogs Logs { get; } = new();

    public MemorySecrets Secrets { get; } = new();

    public TempDirectory Directory => _directory;

    public IArtifactSource Source => _services.GetServices<IArtifactSource>().Single();

    public static async Task<OciBed> StartAsync(CancellationToken cancellationToken)
    {
        var time = new ShiftedTime();
        return new OciBed(await FakeObjectStore.StartAsync(time, cancellationToken: cancellationToken), time);
    }

    public static SourceRequest Request(string uri, string? auth = "UserPrincipal", string? secret = null, NodeFacts? node = null, string format = "", string role = ModelSpec.DefaultRole)
    {
        StorageUri.TryParse(uri, out var parsed, out var refusal).Should().BeTrue(refusal?.ToString());
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        if (auth is not null) parameters["auth"] = auth;
        var model = new ModelSpec { Key = ModelKey.Cluster("a-model"), StorageUri = uri, Parameters = parameters, SecretName = secret, FormatName = format, Role = role };
        return new SourceRequest(model, parsed!, node);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Store.DisposeAsync();
        Store.Callers.Instance?.Dispose();
        _directory.Dispose();
    }

    private OciOptions NewOptions()
    {
        File.WriteAllText(_directory["key.pem"], EncryptedUserKey + "\nOCI_API_KEY\n");
        File.WriteAllText(_directory["config"], $"""
            # comment
            [DEFAULT]
            tenancy = ocid1.tenancy.fake
            region=us-ashburn-1

            [models]
            user=ocid1.user.fake
            fingerprint={Fingerprint}
            key_file=key.pem
            pass_phrase={ArtifactSourceBed.PlantedSecret}
            """);
        return new OciOptions
        {
            Endpoint = Store.Endpoint,
            MetadataEndpoint = Store.Endpoint + "/opc/v2/",
            AuthEndpoint = Store.Endpoint,
            WorkloadTokenEndpoint = Store.Endpoint + "/resourcePrincipalSessionTokens",
            ConfigPath = _directory["config"],
            Profile = "models",
            ServiceAccountTokenPath = _directory["token"],
            ServiceAccountCertificatePath = _directory["ca.crt"],
            RetryDelay = TimeSpan.FromMilliseconds(5),
            AnswerTimeout = TimeSpan.FromSeconds(5),
        };
    }

    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        services.AddOciSource();
        services.AddSingleton(Options);
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton<ISecretReader>(Secrets);
        return services.BuildServiceProvider();
    }
}

/// <summary>The clock, ahead by what a test says; timers run as ever, so retries do.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private TimeSpan _ahead;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _ahead;

    public void Advance(TimeSpan by) => _ahead += by;
}

/// <summary>Secrets in memory, by namespace/name/key.</summary>
internal sealed class MemorySecrets : ISecretReader
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public string this[string path]
    {
        set => _values[path] = value;
    }

    public Task<Secret?> ReadAsync(string secretNamespace, string name, string key, CancellationToken cancellationToken) =>
        Task.FromResult(Secret.From(_values.GetValueOrDefault($"{secretNamespace}/{name}/{key}")));
}

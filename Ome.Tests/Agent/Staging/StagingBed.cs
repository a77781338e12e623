using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>A models root, a fake hub and the real stager between them, wired as the agent wires it.</summary>
public sealed class StagingBed : IAsyncDisposable
{
    /// <summary>Token the fake hub grants everything.</summary>
    public const string Token = Contracts.ArtifactSourceBed.PlantedSecret;

    private readonly TempDirectory _directory = new();
    private ServiceProvider _services;
    private readonly Action<IServiceCollection>? _configure;

    private StagingBed(FakeHub hub, Action<IServiceCollection>? configure)
    {
        (Hub, _configure) = (hub, configure);
        Root = _directory["models"];
        Directory.CreateDirectory(Root);
        _services = Build();
    }

    public FakeHub Hub { get; }

    /// <summary>The models root.</summary>
    public string Root { get; }

    public StagingLayout Layout => _services.GetRequiredService<StagingLayout>();

    public ArtifactStager Stager => _services.GetRequiredService<ArtifactStager>();

    public MemoryManifests Manifests { get; } = new();

    public MemoryRecords Records { get; } = new();

    public StagingOptions Options { get; } = new() { StallTimeout = TimeSpan.FromMilliseconds(400), ReconnectDelay = TimeSpan.FromMilliseconds(5), FreeSpaceReserve = 0 };

    public HuggingFaceOptions HubOptions { get; } = new() { RetryDelay = TimeSpan.FromMilliseconds(5), AnswerTimeout = TimeSpan.FromSeconds(5) };

    public CapturedLogs Logs { get; } = new();

    public static async Task<StagingBed> StartAsync(Action<IServiceCollection>? configure = null, CancellationToken cancellationToken = default)
    {
        var hub = await FakeHub.StartAsync(urlSignature: Token + "-url", cancellationToken: cancellationToken);
        hub.GrantedTokens.Add(Token);
        return new StagingBed(hub, configure);
    }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>The agent goes and comes again: nothing is kept but the disk.</summary>
    public void Restart()
    {
        _services.Dispose();
        _services = Build();
    }

    public string Destination(string name) => Root + "/" + name;

    public StagingRequest Request(string id, string? destination = null, string? token = Token)
    {
        StorageUri.TryParse("hf://" + id, out var uri, out var refusal).Should().BeTrue(refusal?.ToString());
        return new StagingRequest(Model("hf://" + id, token), uri!, destination ?? Destination(id.Split('@')[0].Replace('/', '-')));
    }

    /// <summary>Key of every model the bed stages.</summary>
    public static ModelKey Key { get; } = ModelKey.Cluster("a-model");

    public static ModelSpec Model(string uri, string? token = null) => new()
    {
        Key = Key,
        StorageUri = uri,
        Parameters = token is null ? [] : new Dictionary<string, string>(StringComparer.Ordinal) { ["token"] = token },
    };

    public async Task<StagingResult> StageAsync(string id, CancellationToken cancellationToken, IProgress<StagingProgress>? progress = null) =>
        await Stager.StageAsync(Request(id), progress, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Hub.DisposeAsync();
        _directory.Dispose();
    }

    private ServiceProvider Build()
    {
        HubOptions.Endpoint = Hub.Endpoint;
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        services.AddStaging();
        services.AddSingleton(Options);
        services.AddSingleton(HubOptions);
        services.AddSingleton<ISecretReader>(new NoSecrets());
        services.AddSingleton<IManifestStore>(Manifests);
        services.AddSingleton<IArtifactRecords>(Records);
        services.AddSingleton(new StagingLayout(Root));
        _configure?.Invoke(services);
        return services.BuildServiceProvider();
    }
}

/// <summary>Manifests in memory.</summary>
public sealed class MemoryManifests : IManifestStore
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<ModelKey, ArtifactManifest> _manifests = new();

    public ArtifactManifest? this[ModelKey key] => _manifests.GetValueOrDefault(key);

    public Task<ArtifactManifest?> LoadAsync(ModelKey key, CancellationToken cancellationToken) => Task.FromResult(this[key]);

    public Task SaveAsync(ModelKey key, ArtifactManifest manifest)
    {
        _manifests[key] = manifest;
        return Task.CompletedTask;
    }

    public Task DeleteAsync(ModelKey key)
    {
        _manifests.TryRemove(key, out _);
        return Task.CompletedTask;
    }
}

/// <summary>Every log line of every level, as text with its exception.</summary>
public sealed class CapturedLogs : ILoggerProvider
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    public ILogger CreateLogger(string categoryName) => new Sink(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Sink(CapturedLogs owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            owner._lines.Enqueue($"{category} scope {state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(", ", pairs.Select(pair => $"{pair.Key}={pair.Value}")) : "";
            owner._lines.Enqueue($"{category} {logLevel} {formatter(state, exception)} [{values}] {exception}");
        }
    }
}

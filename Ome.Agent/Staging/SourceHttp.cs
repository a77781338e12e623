using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;
using Ome.Shared.Settings;

namespace Ome.Agent.Staging;

/// <summary>How patient a source is with one request.</summary>
public abstract class SourceHttpOptions
{
    /// <summary>Tries of one request beside the first. Default 4.</summary>
    [Range(0, 20)]
    public int Retries { get; set; } = 4;

    /// <summary>Pause before the first retry, doubling, with jitter. Default 500 ms.</summary>
    [DurationRange("1ms", "1m")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A Retry-After up to this is waited out; a longer one is reported and the model tried again then. Default 30 s.</summary>
    [DurationRange("0s", "10m")]
    public TimeSpan LongestWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time for a request until its answer's headers. Default 30 s.</summary>
    [DurationRange("50ms", "10m")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>The HTTP clients of sources: short trouble is tried again, long trouble is told, and nothing of a request is logged.</summary>
internal static class SourceHttp
{
    /// <summary>Adds a client whose handler follows no redirect, decodes nothing, and is changed further by <paramref name="configure"/>.</summary>
    public static void AddSourceClient<TOptions>(this IServiceCollection services, string name, Action<SocketsHttpHandler, TOptions>? configure = null)
        where TOptions : SourceHttpOptions => services
            .AddHttpClient(name, static client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider =>
            {
                var handler = new SocketsHttpHandler
                {
                    // Redirects are ours to follow (they must lose the token; a signature holds for one address), bodies are compared byte for byte.
                    AllowAutoRedirect = false,
                    AutomaticDecompression = DecompressionMethods.None,
                    PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                    ConnectTimeout = TimeSpan.FromSeconds(10),
                };
                configure?.Invoke(handler, provider.GetRequiredService<TOptions>());
                return handler;
            })
            .RemoveAllLoggers()
            .AddResilienceHandler(name, static (pipeline, context) => Configure(
                pipeline, context.ServiceProvider.GetRequiredService<TOptions>(), context.ServiceProvider.GetRequiredService<StagingFlow>()));

    /// <summary>Seconds or date, as the header has it; null without one.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var after = header?.Delta ?? (header?.Date is { } date && response.Headers.Date is { } now ? date - now : null);
        return after < TimeSpan.Zero ? TimeSpan.Zero : after;
    }

    private static void Configure(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, SourceHttpOptions options, StagingFlow flow)
    {
        if (options.Retries > 0)
        {
            pipeline.AddRetry(new HttpRetryStrategyOptions
            {
                MaxRetryAttempts = options.Retries,
                Delay = options.RetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                MaxDelay = options.LongestWait,
                ShouldRetryAfterHeader = false,
                ShouldHandle = arguments => ValueTask.FromResult(
                    HttpClientResiliencePredicates.IsTransient(arguments.Outcome)
                    && (arguments.Outcome.Result is null || !(RetryAfter(arguments.Outcome.Result) > options.LongestWait))),
                DelayGenerator = static arguments => ValueTask.FromResult(arguments.Outcome.Result is { } response ? RetryAfter(response) : null),
                OnRetry = arguments =>
                {
                    flow.Retries(arguments.Outcome.Result, arguments.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            });
        }

        pipeline.AddTimeout(options.AnswerTimeout);
    }
}

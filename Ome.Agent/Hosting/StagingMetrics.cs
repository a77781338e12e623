using Ome.Agent.Staging;
using Ome.Shared.Domain.Models;
using Prometheus;

namespace Ome.Agent.Hosting;

/// <summary>The instruments of staging, by the names of contract 8.3; buckets are OME's and longer ones.</summary>
public sealed class StagingMetrics(IMetricFactory metrics) : IStagingObserver
{
    private readonly Counter _succeeded = metrics.CreateCounter("model_agent_downloads_success_total", "Models staged.", ModelLabels.Names);
    private readonly Counter _failed = metrics.CreateCounter("model_agent_downloads_failed_total", "Stagings that failed.", ModelLabels.Names);
    private readonly Counter _failures = metrics.CreateCounter("model_agent_staging_failures_total", "Stagings that failed, by reason.", [.. ModelLabels.Names, "reason"]);
    private readonly Counter _bytes = metrics.CreateCounter("model_agent_download_bytes_total", "Bytes received from model sources.", ModelLabels.Names);
    private readonly Counter _rateLimits = metrics.CreateCounter("model_agent_rate_limit_total", "Answers of a source that asked for fewer requests.", ModelLabels.Names);

    private readonly Histogram _seconds = metrics.CreateHistogram(
        "model_agent_download_duration_seconds",
        "Time a staging that succeeded took.",
        ModelLabels.Names,
        new HistogramConfiguration { Buckets = [.. Histogram.ExponentialBuckets(0.1, 2, 10), 100, 300, 1000, 3600, 14400] });

    private readonly Histogram _rateLimitSeconds = metrics.CreateHistogram(
        "model_agent_rate_limit_wait_seconds",
        "Pauses taken because a source asked for fewer requests.",
        ModelLabels.Names,
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(1, 2, 10) });

    public void Staged(ModelKey key, TimeSpan duration)
    {
        _succeeded.WithLabels(ModelLabels.Of(key)).Inc();
        _seconds.WithLabels(ModelLabels.Of(key)).Observe(duration.TotalSeconds);
    }

    /// <summary>A staging failed and is tried again after <paramref name="pause"/>, if at all.</summary>
    public void Failed(ModelKey key, StagingFailureReason reason, TimeSpan pause)
    {
        _failed.WithLabels(ModelLabels.Of(key)).Inc();
        _failures.WithLabels([.. ModelLabels.Of(key), reason.ToString()]).Inc();
        if (reason == StagingFailureReason.RateLimited) RateLimited(key, pause);
    }

    public void Fetched(ModelKey key, long bytes) => _bytes.WithLabels(ModelLabels.Of(key)).Inc(bytes);

    /// <summary>The model is gone from this node: its series go with it.</summary>
    public void Forget(ModelKey key)
    {
        ModelLabels.Forget(key, _succeeded, _failed, _failures, _bytes, _rateLimits);
        ModelLabels.Forget(key, _seconds, _rateLimitSeconds);
    }

    public void RateLimited(ModelKey key, TimeSpan pause)
    {
        _rateLimits.WithLabels(ModelLabels.Of(key)).Inc();
        _rateLimitSeconds.WithLabels(ModelLabels.Of(key)).Observe(pause.TotalSeconds);
    }
}

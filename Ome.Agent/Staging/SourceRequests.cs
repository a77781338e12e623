using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace Ome.Agent.Staging;

/// <summary>How requests to a source are repeated: what may pass is tried again, a Retry-After is kept to, and one that is too long becomes the answer.</summary>
/// <param name="Retries">Tries beside the first.</param>
/// <param name="Delay">Pause before the first retry, doubling, with jitter.</param>
/// <param name="LongestWait">A Retry-After up to this is waited out.</param>
/// <param name="AnswerTimeout">Time for a request until its answer's headers.</param>
internal sealed record SourceRequests(int Retries, TimeSpan Delay, TimeSpan LongestWait, TimeSpan AnswerTimeout)
{
    public void Configure(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, StagingFlow flow)
    {
        if (Retries > 0)
        {
            pipeline.AddRetry(new HttpRetryStrategyOptions
            {
                MaxRetryAttempts = Retries,
                Delay = Delay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                MaxDelay = LongestWait,
                ShouldRetryAfterHeader = false,
                ShouldHandle = arguments => ValueTask.FromResult(
                    HttpClientResiliencePredicates.IsTransient(arguments.Outcome)
                    && (arguments.Outcome.Result is null || !(HubFailure.RetryAfter(arguments.Outcome.Result) > LongestWait))),
                DelayGenerator = static arguments => ValueTask.FromResult(arguments.Outcome.Result is { } response ? HubFailure.RetryAfter(response) : null),
                OnRetry = arguments =>
                {
                    flow.Retries(arguments.Outcome.Result, arguments.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            });
        }

        pipeline.AddTimeout(AnswerTimeout);
    }
}
